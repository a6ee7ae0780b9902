output "name" {
  description = "Name of the stream."
  value       = aws_kinesis_stream.this.name
}

output "arn" {
  description = "ARN of the stream, known before the stream is made."
  value       = "arn:${var.account.partition}:kinesis:${var.account.region}:${var.account.id}:stream/${var.name}"

  depends_on = [aws_kinesis_stream.this]
}

output "incarnation" {
  description = "8 hexadecimal digits that change exactly when the stream is created anew."
  value       = substr(terraform_data.incarnation.id, 0, 8)
}
