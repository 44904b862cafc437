"""What is done with items: a package a service, its steps pure functions over arrays."""
