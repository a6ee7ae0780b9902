"""The commands, grouped: parse options, call the module that does the work, show the result."""
