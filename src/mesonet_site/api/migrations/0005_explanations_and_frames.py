from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mesonet_api", "0004_detection_stored_bytes"),
    ]

    operations = [
        migrations.AddField(
            model_name="detection",
            name="explain",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="detection",
            name="frames",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="detection",
            name="frames_done",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
