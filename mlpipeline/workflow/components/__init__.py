"""The components that come with mlpipeline: each behind the interface of its type, found by its class's name."""
