"""What the AI can do: each action is one transaction and the events it caused."""
