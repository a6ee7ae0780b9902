output "topic_arn" {
  description = "ARN of the topic that the alarms tell."
  value       = aws_sns_topic.this.arn
}

output "names" {
  description = "Names of the alarms, by what each watches."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}

output "arns" {
  description = "ARNs of the alarms, by what each watches; from their names, so that a dashboard need not wait for them."
  value = {
    for key in keys(local.alarms) :
    key => "arn:${var.account.partition}:cloudwatch:${var.account.region}:${var.account.id}:alarm:${var.name}-${key}"
  }
}

output "thresholds" {
  description = "From which figure on each alarm rings, by what it watches."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.threshold }
}
