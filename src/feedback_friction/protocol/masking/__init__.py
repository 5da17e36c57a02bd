"""The one gate between feedback and solver: it hides what gives the answer away."""
