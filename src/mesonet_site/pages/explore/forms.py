"""What is asked when a model is explored."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

MOST = 50
LARGEST_SEED = 2**32 - 1


class ExploreForm(forms.Form):
    """How many images to draw, which layers to show, and whether only the mistakes.

    ``seed`` and ``skip`` stand in the address only: they are the place in a fixed random order.

    Args:
        layers: how many convolutional layers the model has.
    """

    images = forms.IntegerField(label=_("Images"), min_value=1, max_value=MOST, initial=12)
    layers = forms.TypedMultipleChoiceField(label=_("Layers"), coerce=int, required=False)
    seed = forms.IntegerField(min_value=0, max_value=LARGEST_SEED, required=False)
    skip = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    mistakes = forms.BooleanField(label=_("Only the mistakes"), required=False)

    def __init__(self, *args: Any, layers: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["layers"].choices = [(index, str(index)) for index in range(layers)]
