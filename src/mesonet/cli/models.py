"""``mesonet models``: what there is to use and to train."""


def run() -> None:
    """List the released weights and the architectures."""
    from rich.console import Console
    from rich.table import Table

    from mesonet.weights import DEFAULT, list_released

    console = Console(highlight=False, soft_wrap=True)
    table = Table("released weights", "threshold", "", box=None, pad_edge=False)
    models = list_released()
    for model in models:
        name = f"{model.name} (default)" if model.name == DEFAULT else model.name
        table.add_row(name, f"{model.info.threshold:.3f}", model.summary)
    console.print(table)
    console.print("Each has a card with its data, figures and limits beside it:")
    for model in models:
        console.print(f"  {model.card}")
    with Console(stderr=True).status("looking up architectures"):
        from mesonet.architectures import get_architecture, list_architectures

        architectures = [get_architecture(name) for name in list_architectures()]
    table = Table("\narchitectures", "\nimage size", "", box=None, pad_edge=False)
    for architecture in architectures:
        size = f"{architecture.preprocessing.size} px"
        table.add_row(architecture.name, size, architecture.summary)
    console.print(table)
