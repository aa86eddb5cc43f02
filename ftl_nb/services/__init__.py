"""The control plane: schema, scaling, provisioning, timeline and admin, each a class with a gRPC service of its own."""
