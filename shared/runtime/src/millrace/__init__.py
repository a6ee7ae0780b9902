"""What every service shares: the event contract, the ledger, ports and AWS adapters."""
