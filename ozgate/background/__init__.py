"""Work that goes on beside requests: each an ``IService`` with a clock passed in."""
