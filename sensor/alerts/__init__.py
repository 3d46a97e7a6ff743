"""From matches and findings to what an operator reads: rules, incidents, policy and the alert outputs."""
