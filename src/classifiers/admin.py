"""Models in Django's admin."""

from django.contrib import admin, messages
from django.db.models import FileField, QuerySet
from django.forms import FileInput
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classifiers.models import MLModel


@admin.register(MLModel)
class MLModelAdmin(admin.ModelAdmin):
    """Upload a model and see how it measures up."""

    list_display = ("model_name", "model_desc", "accuracy", "state", "progress", "uploaded_at")
    list_filter = ("state",)
    search_fields = ("model_name", "model_desc")
    fields = (
        ("model_name", "model_desc"),
        ("model_file", "loss_curve"),
        ("state", "progress", "message"),
        "accuracy",
        "report",
        "conv_layers",
        "model_hash",
    )
    readonly_fields = (
        "state",
        "progress",
        "message",
        "accuracy",
        "report",
        "conv_layers",
        "model_hash",
    )
    actions = ("measure_again",)
    formfield_overrides = {FileField: {"widget": FileInput}}  # noqa: RUF012 - there is no URL

    @admin.display(description="classification report")
    def report(self, model: MLModel) -> SafeString | str:
        """The classification report as a table."""
        if not model.clr:
            return "-"
        head = format_html_join("", "<th>{}</th>", ((name,) for name in model.clr["columns"]))
        rows = format_html_join(
            "",
            "<tr>{}</tr>",
            (
                (format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),)
                for row in model.clr["rows"]
            ),
        )
        return format_html("<table><tr>{}</tr>{}</table>", head, rows)

    @admin.action(description="Measure again")
    def measure_again(self, request: HttpRequest, models: QuerySet) -> None:
        """Queue the measurement of the selected models."""
        for model in models:
            model.measure()
        messages.success(request, f"{len(models)} measurements are queued.")
