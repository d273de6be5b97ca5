"""`python -m scalecalc`."""

from scalecalc.cli import main

if __name__ == "__main__":
    main()
