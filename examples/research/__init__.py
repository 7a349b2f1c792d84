"""A team of agents in three services and two choreographies: one plans, several find out side by side, one writes, and a
person allows what is published. Their models are scripted, so that it runs offline.

    farandole work examples.research.planning:team
    farandole work examples.research.finding:library
    farandole work examples.research.publishing:team
    farandole start -c team TopicGiven topic='stone fruit'
    farandole inbox -c team; farandole decide -c team ...
"""
