"""Background work: generating, judging, evolving; in the server itself, or by workers from a queue.

nouns            Task: what is to be done, how far it is, whether somebody wants it to stop
codec            tasks as documents; tasks: the kept ones, changed by several processes safely
foreman          does a task with the services that would do it in the server
base             Work, what screens call; Here, without a queue
postgres_queue   Work on a queue in PostgreSQL, and the worker
postgres_calls   limits of connections and budgets over all processes
"""
