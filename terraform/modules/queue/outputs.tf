output "arn" {
  description = "ARN of the queue, known before the queue is made."
  value       = local.arns.this

  depends_on = [aws_sqs_queue.this]
}

output "url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.this.url
}

output "dead_letter_arn" {
  description = "ARN of the dead-letter queue, known before the queue is made."
  value       = local.arns.dead_letter

  depends_on = [aws_sqs_queue.dead_letter]
}

output "dead_letter_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.url
}
