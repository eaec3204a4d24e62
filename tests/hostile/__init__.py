"""Input that means harm, at every door: nothing breaks, nothing grows, nothing takes for ever."""
