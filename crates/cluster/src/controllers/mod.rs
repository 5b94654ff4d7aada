//! The controllers: Deployment → ReplicaSet → Pod, and Service → EndpointSlice and Endpoints.

mod work_queue;
