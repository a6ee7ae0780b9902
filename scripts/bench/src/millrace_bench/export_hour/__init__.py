"""An hour of the archive, made up, and its export in a process of its own whose memory counts."""
