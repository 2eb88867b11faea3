"""The runners of standard workflows: classification, regression, forecasting."""
