"""What Zalo needs kept: the grant of an Official Account."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('zalogrant',
    sa.Column('app', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('since', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('renewed', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('expires', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('claimed', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('failing', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('trouble', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('heard', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('alarmed', sa.Boolean(), nullable=False),
    sa.Column('quota', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.PrimaryKeyConstraint('app')
    )


def downgrade() -> None:
    op.drop_table('zalogrant')
