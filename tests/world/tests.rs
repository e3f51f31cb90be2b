//! That the model is right.
