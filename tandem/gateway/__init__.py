"""From the message queue to the Triton beside it, and the answer back to the client that asked.

A message is acknowledged only after the broker has confirmed its reply, so a crash anywhere loses nothing.
Any number of gateways, each beside a Triton of its own, compete for one queue: that is how reading grows past
one machine.
"""
