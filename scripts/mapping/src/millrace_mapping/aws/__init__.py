"""The ports over boto3, and the translation of its errors."""
