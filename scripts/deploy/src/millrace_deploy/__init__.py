"""Deploys an environment of `terraform/envs`: to AWS, or wherever AWS_ENDPOINT_URL points.

`python -m millrace_deploy --help` lists the commands; `make` calls them.
"""
