"""Factors: a hidden state as a sparse sum of learned directions, and what is left over.

    x = Σ_f a_f d_f + error        a_f ≥ 0, few of them above zero; |d_f| = 1

The directions d_f (atoms, decoder rows) are a dictionary that is learned on many states of a model:
by sparse coding (`sparse/`; Yun et al. 2021, "Transformer visualization via
dictionary learning") or as a sparse autoencoder.
"""
