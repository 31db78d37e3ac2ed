"""What happens in the city and who must act: incidents and their steps, clocks, routing, notices."""
