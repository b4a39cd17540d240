"""gRPC servicers of messaging: request to arguments, one action, answer to response."""
