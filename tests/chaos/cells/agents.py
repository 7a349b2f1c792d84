"""A team of agents whose workers are killed with -9 at each step that they take."""

from chaos.cell import cell
from chaos.team import Team
from chaos.team_judge import judge_team
from chaos.team_steps import ROUNDS
from chaos.trial import Trial


@cell(
    "agents",
    "each worker of a team of agents (planner, three researchers, writer, approval, publish tool) dies by SIGKILL at each of "
    "its steps in turn, and comes back by its name; in the last round another one takes over",
    tested={"rounds": 1},
    whole={"rounds": ROUNDS},
)
async def agents(trial: Trial, rounds: int) -> None:
    """One text is published; no model and no tool is called again for what is in the log."""
    async with Team(trial) as team:
        for round in range(rounds):
            await team.play(round)
        await team.conclude()
        judge_team(team, rounds)
