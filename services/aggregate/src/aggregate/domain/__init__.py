"""What one commit adds to which rows, and in which transactions: values in, values out."""
