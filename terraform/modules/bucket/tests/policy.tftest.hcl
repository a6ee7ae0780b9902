# What nobody may do in a bucket.

# The real provider writes the documents; it needs no AWS for that.
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name                 = "millrace-test-data-123456789012"
  write_once_prefixes  = ["raw/"]
  undeletable_prefixes = ["raw/"]
}

run "denies_the_clear_the_overwrite_and_the_deletion" {
  command = plan

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Sid] == ["DenyInsecureTransport", "DenyOverwrite", "DenyDeletion"]
    error_message = "the policy has three statements"
  }

  assert {
    condition     = alltrue([for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Effect == "Deny" && s.Principal == "*"])
    error_message = "they bind everybody"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[0].Action == "s3:*" && jsondecode(data.aws_iam_policy_document.this.json).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "nothing travels in the clear"
  }

  assert {
    condition     = toset(jsondecode(data.aws_iam_policy_document.this.json).Statement[0].Resource) == toset(["arn:aws:s3:::millrace-test-data-123456789012", "arn:aws:s3:::millrace-test-data-123456789012/*"])
    error_message = "neither of the bucket nor of its objects"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Action == "s3:PutObject" && jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Resource == "arn:aws:s3:::millrace-test-data-123456789012/raw/*"
    error_message = "puts below the prefix are bound"
  }

  assert {
    condition     = jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Condition.Null["s3:if-none-match"] == "true" && jsondecode(data.aws_iam_policy_document.this.json).Statement[1].Condition.Bool["s3:ObjectCreationOperation"] == "true"
    error_message = "an object is created with If-None-Match, or not at all"
  }

  assert {
    condition     = toset(jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Action) == toset(["s3:DeleteObject", "s3:DeleteObjectVersion"]) && jsondecode(data.aws_iam_policy_document.this.json).Statement[2].Resource == "arn:aws:s3:::millrace-test-data-123456789012/raw/*"
    error_message = "neither objects nor versions below the prefix are deleted"
  }
}

run "keeps_raw_where_there_is_no_tls" {
  command = plan

  variables {
    enforce_tls           = false
    enforce_if_none_match = false
  }

  assert {
    condition     = [for s in jsondecode(data.aws_iam_policy_document.this.json).Statement : s.Sid] == ["DenyDeletion"]
    error_message = "only what the endpoint can judge is left"
  }
}
