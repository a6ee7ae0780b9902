"""What an export is made of: values in, values out."""
