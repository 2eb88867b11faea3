"""What makes features: transformers of scikit-learn, of feature-engine, encoders, or a class of the user's own."""
