"""Terraform against a local engine: apply, outputs, drift; state in the engine's folder."""

from millrace_local.terraform.allowlist import read_allowlist
from millrace_local.terraform.events import Progress
from millrace_local.terraform.runner import Deployment, OnProgress, Terraform

__all__ = ["Deployment", "OnProgress", "Progress", "Terraform", "read_allowlist"]
