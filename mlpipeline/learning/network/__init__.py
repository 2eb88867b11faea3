"""What the estimator Keras is made of: features, batches, layers, training, files, drawings."""
