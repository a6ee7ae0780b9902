output "endpoint" {
  description = "Address of the API, once it serves; paths follow."
  value       = aws_apigatewayv2_api.this.api_endpoint
  depends_on  = [aws_apigatewayv2_stage.this, aws_apigatewayv2_route.this, aws_lambda_permission.this]
}

output "id" {
  description = "Id of the API."
  value       = aws_apigatewayv2_api.this.id
}

output "execution_arn" {
  description = "First part of the ARNs that callers' policies name: <this>/*/POST/path."
  value       = aws_apigatewayv2_api.this.execution_arn
}

output "access_log_group" {
  description = "Name of the log group of requests."
  value       = aws_cloudwatch_log_group.access.name
}
