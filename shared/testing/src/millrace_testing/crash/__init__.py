"""The crash-point harness: break each AWS call in each way, and see what readers see."""
