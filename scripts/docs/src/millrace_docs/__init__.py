"""The documents that follow from code: `make docs` writes them, `make docs-check` compares them."""
