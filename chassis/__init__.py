"""What any service needs in order to run, and nothing about conversations."""
