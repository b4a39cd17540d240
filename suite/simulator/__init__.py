"""The platform double: a make-believe messaging platform with a customer's phone and switches.

    python -m suite.simulator --listen 127.0.0.1:9000 --data .data/simulator

Its API is our own invention, in the spirit of the cloud platforms: it takes sends with a bearer
token, answers with its own message id, and calls our webhook with signed batches of statuses and
inbound messages. Everything that goes wrong with a real platform can be switched on: by a test
through `switches`, by a person on the page `/simulator/phone/<account>/<customer>`.
"""
