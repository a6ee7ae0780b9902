"""Terraform against a local engine: apply, outputs, drift; state in the engine's folder."""

from millrace_local.terraform.allowlist import read_allowlist
from millrace_local.terraform.events import Progress
from millrace_local.terraform.runner import Deployment, Terraform

__all__ = ["Deployment", "Progress", "Terraform", "read_allowlist"]
