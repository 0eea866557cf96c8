from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("classifiers", "0002_curves")]

    operations = [
        migrations.AddField(
            "mlmodel",
            "info",
            models.JSONField(
                editable=False,
                help_text="Threshold, band and all else that the model file says of the model",
                null=True,
                verbose_name="what it says of itself",
            ),
        ),
    ]
