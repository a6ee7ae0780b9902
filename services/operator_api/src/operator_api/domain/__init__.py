"""Pure rules of requests: values in, values out."""
