"""What any long training of a network needs, whatever the network."""
