"""The KPL's protobuf messages, generated from the `.proto` beside them."""
