"""The jobs that drain a topic side by side, each a program of its own: ADDRESS TOPIC FOLDER, and JSON at the end."""
