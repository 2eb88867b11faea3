"""Says whether rows are fit to be learnt from: rules, a schema, drift, and what stands out of a time series."""
