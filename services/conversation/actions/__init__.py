"""What the shared inbox can do: each action is one transaction and the events it caused."""
