"""The engine for several nodes: a store on etcd, through its v3 API."""
