"""Archive: gzip committed events by event hour."""
