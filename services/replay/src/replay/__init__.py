"""Replay: send the messages of a plan, at a rate that spares live traffic."""
