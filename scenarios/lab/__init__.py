"""Two real Kubernetes clusters on one Linux machine, for the stories and the cluster tests.

The lab exists so that nothing of bluegreen is ever proved against a fake. It must never touch a cluster, a process, a
mount or a network of the machine that it did not make itself.
"""
