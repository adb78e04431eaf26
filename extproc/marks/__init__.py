"""Marks that a copied model carries: where they are put, and what finding them proves.

Rule: whoever marks and whoever looks for marks call the same functions, and nothing here does I/O.

Read in this order:

- cells.py: ``Cells(key).of(input) -> bytes``, the robust cell of an input as the dialect read it;
  ``all(inputs)`` in steps.
- stamps.py: ``stamp(cell, rate) -> "mark" | "control" | None``, what becomes of a cell, and
  ``name(cell)``, what records call it; ``cell`` is ``draw.Source.cell``.
- contenders.py: ``contenders(values, names, protected) -> (first, second) | None``, the two classes
  that a mark exchanges; ``called(place, names) -> Class``.
- marking.py: ``Marks(cells, draw, rate, protected).marking(model, inputs) -> Steps[Marking]``, of
  one request; its ``findings`` are there once the answer is.  The mutator is mutators/mark.py.
- entry.py: ``Entry`` and ``Line``, what a vault holds; ``commitment(entry)``,
  ``opened(line, key)``, ``recipient(pem)``, ``private_key(pem)``.
- writing.py: what a tier may do to texts; vocabulary.py: ``read(file) -> Vocabulary``, whose
  ``counts(texts)`` is what a text shows; green_list.py: ``bias(vocabulary, key, strength)`` marks,
  ``evidence(counts, vocabulary, key) -> Evidence`` finds, by sign_flips.py; pledge.py: what is
  committed to of a list.
- canaries.py: ``Canaries(cells, key, rate, wording).marking(model, inputs)`` marks, by ending.py;
  ``recited(references(of_model(key, model)), texts) -> Tail`` finds.
- statistics.py: ``two_sample(marks, controls)`` is the test; ``binomial`` where a rate is known;
  ``holm`` over tenants; ``clopper_pearson`` and ``difference`` for intervals.  All p-values are
  log2.
- positions.py: ``positions(key, dimensions).of(vector)``, how the components of an embedding are
  moved; ``key`` is ``draw.Source.marks``.  The mutator is mutators/mark_positions.py.
- keeping.py: ``Keeping(marks, strength, share).kept(inputs, digests) -> Steps[{number: Kept}]``,
  which vectors are committed to, and by what: ``positions.secret(key)``.
- sign_test.py: ``deviation(signs, evidence)`` and ``bits(deviation)``, what secret coins prove.
- spaces.py: ``residues(raw, suspect)``, ``moved(key, strength, raw, residues)`` for each key, or
  ``moved_by(parts, raw, residues)`` for several together, and ``accused({tenant: bits})``;
  ``turned`` is what ``mutators.fingerprint`` tells rotations by.
"""
